import type { SessionPeer } from '../session-peer.ts'

export declare const name: SessionPeer['name']
export declare const prepare: SessionPeer['prepare']
