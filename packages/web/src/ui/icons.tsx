import type { DeliveryState } from '@sotto/core'
import type { ReactNode } from 'react'

interface IconProps {
  readonly children: ReactNode
  readonly size?: number
}

const Icon = ({ children, size = 20 }: IconProps) => (
  <svg
    width={size}
    height={size}
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    strokeWidth="2"
    strokeLinecap="round"
    strokeLinejoin="round"
    aria-hidden="true"
  >
    {children}
  </svg>
)

export const AddIcon = () => (
  <Icon>
    <path d="M12 5v14M5 12h14" />
  </Icon>
)
export const BackIcon = () => (
  <Icon>
    <path d="M15 5l-7 7 7 7" />
  </Icon>
)
export const CloseIcon = () => (
  <Icon>
    <path d="M6 6l12 12M18 6L6 18" />
  </Icon>
)
export const SendIcon = () => (
  <Icon>
    <path d="M5 12h14M13 6l6 6-6 6" />
  </Icon>
)
export const GroupIcon = () => (
  <Icon>
    <circle cx="9" cy="8.5" r="3.5" />
    <path d="M2.5 19.5c.6-3.4 3.3-5 6.5-5s5.9 1.6 6.5 5M16 5.3a3.5 3.5 0 0 1 0 6.4M18 14.9c2 .7 3.2 2.3 3.5 4.6" />
  </Icon>
)
export const DevicesIcon = () => (
  <Icon>
    <path d="M13 18H4a1.5 1.5 0 0 1-1.5-1.5v-10A1.5 1.5 0 0 1 4 5h13a1.5 1.5 0 0 1 1.5 1.5M7 21h6" />
    <rect x="15.5" y="9.5" width="6.5" height="11.5" rx="1.5" />
  </Icon>
)
export const InfoIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="9" />
    <path d="M12 11v5.5M12 7.6v.1" />
  </Icon>
)
export const MoreIcon = () => (
  <Icon>
    <path d="M5.5 12h.01M12 12h.01M18.5 12h.01" strokeWidth="3" />
  </Icon>
)
export const ReplyIcon = () => (
  <Icon size={18}>
    <path d="M9 6l-5 5 5 5M4 11h9a7 7 0 0 1 7 7" />
  </Icon>
)
export const EditIcon = () => (
  <Icon size={18}>
    <path d="M4 20l1-4L16 5l3 3L8 19zM14 7l3 3" />
  </Icon>
)
export const DeleteIcon = () => (
  <Icon size={18}>
    <path d="M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13" />
  </Icon>
)
export const CopyIcon = () => (
  <Icon size={18}>
    <rect x="9" y="9" width="11" height="11" rx="2" />
    <path d="M5 15V6a2 2 0 0 1 2-2h9" />
  </Icon>
)
export const ChatIcon = () => (
  <Icon size={40}>
    <path d="M20 12a8 8 0 0 1-11.6 7.1L4 20.5l1.3-4.2A8 8 0 1 1 20 12z" />
  </Icon>
)
export const AlertIcon = () => (
  <Icon size={36}>
    <path d="M12 8v5M12 16.5v.1" />
    <circle cx="12" cy="12" r="9" />
  </Icon>
)

/** One mark for each step of the ladder: a clock, an arrow up, two ticks, two bold ticks, an exclamation mark. */
const marks: Record<DeliveryState, ReactNode> = {
  waiting: (
    <>
      <circle cx="12" cy="12" r="8" />
      <path d="M12 8v4l3 2" />
    </>
  ),
  relayed: <path d="M12 19V6M6.5 11.5L12 6l5.5 5.5" />,
  delivered: <path d="M2.5 12.5l4.5 4.5L16 8M11.5 16.5l.5.5 9-9" />,
  read: <path d="M2.5 12.5l4.5 4.5L16 8M11.5 16.5l.5.5 9-9" strokeWidth="3" />,
  failed: <path d="M12 5v9M12 18.5v.1" strokeWidth="3" />,
}

export const LadderIcon = ({ state }: { readonly state: DeliveryState }) => (
  <Icon size={15}>{marks[state]}</Icon>
)
