/** Ratchet frames between two devices. */
export const directProtocol = '/sotto/direct/1'
/** Asks an inviter's own device for the sealed record of an invite. */
export const inviteProtocol = '/sotto/invite/1'
export { linkProtocol } from '../identity/index.ts'
