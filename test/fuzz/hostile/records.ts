/** Records as a member signs them, against admission, segment sets, documents and sealed files. */
import {
  admitRecord,
  readRecord,
  segmentId,
  type RecordHeader,
} from '../../../packages/core/src/history/index.ts'
import { equalBytes, idKey } from '../../../packages/core/src/wire/index.ts'
import { crypto } from '../../core/history/segment-world.ts'
import { equivocations, recordLies, type ToldRecord } from './record-lies.ts'
import { authorOf, segmentCampaign, type SegmentTarget } from './segment-target.ts'

/** What admission says of the record, then what the set does with it. */
function hear(target: SegmentTarget, input: ToldRecord): string {
  const admission = admissionOf(target, input)
  const header = readRecord(crypto, input.bytes)
  // A set is given records apart from their bodies, and by whoever brought them.
  if (header === undefined || input.as !== undefined || admission === 'bad-commitment') return admission
  const fate = target.grow([{ header, signature: input.signature }])
  if (fate.startsWith('bad-')) remember(target, header)
  return `${admission}, ${fate}`
}

/** What was refused for good is built on later. */
function remember({ scene: { liar, refused } }: SegmentTarget, header: RecordHeader): void {
  if (equalBytes(header.content.device, liar.device)) refused.push(header)
}

function admissionOf({ scene, set }: SegmentTarget, input: ToldRecord): string {
  const content = readRecord(crypto, input.bytes)?.content
  const author = content === undefined ? undefined : authorOf(content)
  if (author !== undefined && author.standing !== 'member') return 'no-member'
  const { conversation } = scene.place
  const as = input.as ?? content ?? scene.liar
  const verdict = admitRecord(crypto, input, {
    ...{ conversation, account: as.account, device: as.device },
    identityKey: author?.identityKey ?? scene.liar.keys.publicKey,
    segmentNumber: (segment) =>
      [0, 1].find((number) => equalBytes(segment, segmentId(crypto, conversation, number))),
    linked: (id) =>
      (set.counted.get(idKey(id)) ?? scene.elsewhere.find(({ header }) => equalBytes(header.id, id)))?.header
        .content,
  })
  return verdict.verdict === 'rejected' ? verdict.reason : verdict.verdict
}

export const recordCampaign = segmentCampaign({
  ...{ room: 'history: records', lies: recordLies, equivocations, hear },
})
