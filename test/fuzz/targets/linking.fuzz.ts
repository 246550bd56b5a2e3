import {
  approvalReceives,
  linkCandidates,
  offerReceives,
  parseLinkInput,
  writeLinkRecord,
  type LinkApproval,
  type LinkOffer,
  type LinkWay,
} from '../../../packages/core/src/identity/index.ts'
import { formatLinkCode } from '../../../packages/core/src/identity/link-code.ts'
import {
  linkFrame,
  linkMessageFrame,
  type LinkMessage,
} from '../../../packages/core/src/identity/link-frame.ts'
import { formatDeviceLink } from '../../../packages/core/src/identity/link-text.ts'
import { Channel, entropyOf, Home, NewEnd, OldEnd, targetOf } from '../../core/identity/link-world.ts'
import { crypto, seedOf } from '../../core/identity/support.ts'
import { bytesOfText, frameTarget, sameBytes, textOfBytes } from '../checks.ts'
import type { FuzzTarget } from '../driver.ts'

/** An end that wipes nothing, so that each of its states can be asked again and again. */
class KeptNew extends NewEnd {
  readonly states: LinkOffer[] = []
  override take(step: Parameters<NewEnd['take']>[0]): readonly Uint8Array[] {
    this.states.push(step.state)
    return super.take({ ...step, spent: [] })
  }
}
class KeptOld extends OldEnd {
  readonly states: LinkApproval[] = []
  override take(step: Parameters<OldEnd['take']>[0]): readonly Uint8Array[] {
    // The first step comes while the base class is still being made.
    ;(this.states as LinkApproval[] | undefined)?.push(step.state)
    return super.take({ ...step, spent: [] })
  }
}

const ways: readonly LinkWay[] = ['link', 'code']
const runs = ways.map((way) => {
  const offer = new KeptNew('fuzz', way)
  const { text, state } = offer
  const approval = new KeptOld('fuzz', targetOf(text, offer.contact))
  const begun = approval.state
  const channel = new Channel(offer, approval).meet().finish(new Home('fuzz'), [seedOf('introduction')])
  return {
    text,
    frames: channel.carried.map(({ frame }) => frame),
    offers: [state, ...offer.states],
    approvals: [begun, ...approval.states],
  }
})
const frames = runs.flatMap((run) => run.frames)
const { transportKey } = new NewEnd('fuzz', 'link').own
const record = writeLinkRecord({ transportKey, addresses: ['/ip4/192.0.2.7/tcp/1', '/dns4/a.example/tcp/2'] })

const messages: readonly LinkMessage[] = [
  { kind: 'name', name: 'phone' },
  { kind: 'account', genesis: entropyOf('genesis', 70), name: 'Ada', nowMs: 1_800_000_000_000 },
  { kind: 'certificate', certificate: entropyOf('certificate', 200) },
  { kind: 'page', ops: [entropyOf('op', 300)], introductions: [entropyOf('friend', 100), seedOf('friend')] },
  { kind: 'next' },
  { kind: 'last', discoverySeed: seedOf('discovery'), bundle: entropyOf('bundle', 500) },
  { kind: 'joined', bundle: entropyOf('bundle', 500) },
  { kind: 'finished' },
]

const isOpen = ({ stage }: LinkOffer | LinkApproval): boolean =>
  stage.at !== 'ended' && stage.at !== 'finished'

export const targets: readonly FuzzTarget[] = [
  frameTarget('linking/frame', linkFrame, frames),
  frameTarget('linking/message', linkMessageFrame, messages.map(linkMessageFrame.encode)),
  {
    name: 'linking/link or code',
    seeds: runs.map(({ text }) => bytesOfText(text)),
    run: (input) => {
      const parsed = parseLinkInput(textOfBytes(input))
      if (!parsed.ok) return false
      const written = parsed.way === 'link' ? formatDeviceLink(parsed.link) : formatLinkCode(parsed.code)
      const again = parseLinkInput(written)
      if (!again.ok || again.way !== parsed.way) throw new Error('wrote what it does not read')
      return sameBytes(
        bytesOfText(again.way === 'link' ? formatDeviceLink(again.link) : formatLinkCode(again.code)),
        bytesOfText(written),
      )
    },
  },
  {
    name: 'linking/place record',
    seeds: [record],
    run: (input) => {
      const [found] = linkCandidates([input])
      return found !== undefined && sameBytes(writeLinkRecord(found), input)
    },
  },
  {
    name: 'linking/new device, any moment',
    seeds: frames,
    weight: 5,
    run: (input) => {
      const steps = runs.flatMap(({ offers }) =>
        offers.map((offer) => offerReceives(crypto, offer, input, 1)),
      )
      return steps.some(({ state, events }) => isOpen(state) && !events.some(({ kind }) => kind === 'failed'))
    },
  },
  {
    name: 'linking/old device, any moment',
    seeds: frames,
    weight: 5,
    run: (input) => {
      const steps = runs.flatMap(({ approvals }) =>
        approvals.map((approval) => approvalReceives(crypto, approval, input, 1)),
      )
      return steps.some(({ state }) => isOpen(state))
    },
  },
]
