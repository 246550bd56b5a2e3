/** What the network does to frames and dials, drawn once a seed. Probabilities are 0 to 1, times milliseconds. */
export interface NetConditions {
  /** A frame is lost. Streams are reliable, so its channel never delivers anything after it and breaks. */
  readonly loss: number
  /** A frame arrives a second time, up to a minute later. */
  readonly duplication: number
  /** A new channel begins with frames recorded on earlier ones. */
  readonly replay: number
  /** A dial fails although the peer is there. */
  readonly dialFailure: number
  /** One-way delay: its median over all pairs, and how pairs differ. */
  readonly medianMs: number
  readonly sigma: number
  /** Bits a second from one machine to another, the median over all pairs; 0 is as many as there are. */
  readonly bandwidth: number
  /** A DHT put that reaches nobody; a get that finds nothing; a get that finds an older value. */
  readonly dhtLoss: number
  readonly dhtMissing: number
  readonly dhtStale: number
  /** A hop of a topic's message is lost though the connection lives. */
  readonly topicLoss: number
}

/** A network that only takes time. */
export const calm: NetConditions = {
  loss: 0,
  duplication: 0,
  replay: 0,
  dialFailure: 0,
  medianMs: 40,
  sigma: 0.6,
  bandwidth: 0,
  dhtLoss: 0,
  dhtMissing: 0,
  dhtStale: 0,
  topicLoss: 0,
}

/**
 * What a network without faults keeps from the DHT and from topics all the same, after what the product's own nodes
 * met with over memory and loopback (docs/benchmarks.md, model against reality).
 */
export const everyday = { dhtLoss: 0.1, topicLoss: 0.4 } as const
