/** What a member with real keys and sessions says in them that no device would. */
export const lies = ['member-forges', 'member-equivocates', 'member-stuffs', 'member-bombs'] as const
export type Lie = (typeof lies)[number]
