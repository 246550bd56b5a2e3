import { useStore } from '@nanostores/react'
import type { ConnectionState } from '@sotto/core'
import { useEffect, useState } from 'react'
import type { Model } from './model.ts'

const settleMs = 1_000

/** How the device is connected; a change is shown only when it has lasted a second. */
export function useConnection(model: Model): ConnectionState {
  const now = useStore(model.status)?.connection
  const [shown, setShown] = useState(now)
  useEffect(() => {
    if (now === shown) return
    const timer = setTimeout(() => setShown(now), shown === undefined ? 0 : settleMs)
    return () => clearTimeout(timer)
  }, [now, shown])
  return shown ?? now ?? 'offline'
}
