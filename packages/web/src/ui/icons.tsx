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
