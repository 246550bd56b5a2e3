import { useEffect, useRef, useState } from 'react'
import { Button } from 'react-aria-components'
import { CloseIcon } from './icons.tsx'
import { strings } from './strings.ts'
import styles from './dialog.module.css'

const words = strings.scan

interface ScanProps {
  readonly isDisabled: boolean
  /** Told what the first QR code says that the camera sees; the camera is off by then. */
  readonly onText: (text: string) => void
}

type State = 'closed' | 'open' | 'refused' | 'missing'

/** Reads a link from another screen by the camera; nothing where a page cannot have one. */
export function Scan({ isDisabled, onText }: ScanProps) {
  const [state, setState] = useState<State>('closed')
  if (!('mediaDevices' in navigator)) return null
  if (state === 'open')
    return (
      <Camera
        onText={(text) => {
          setState('closed')
          onText(text)
        }}
        onFailure={setState}
        onStop={() => setState('closed')}
      />
    )
  return (
    <>
      <Button className="plain wide" isDisabled={isDisabled} onPress={() => setState('open')}>
        {words.start}
      </Button>
      {state !== 'closed' && <p role="alert">{words[state]}</p>}
    </>
  )
}

interface CameraProps {
  readonly onText: (text: string) => void
  readonly onFailure: (why: 'refused' | 'missing') => void
  readonly onStop: () => void
}

function Camera({ onText, onFailure, onStop }: CameraProps) {
  const video = useRef<HTMLVideoElement>(null)
  useEffect(() => {
    if (video.current === null) return undefined
    const gone = new AbortController()
    void read(video.current, gone.signal).then(
      (text) => text !== undefined && onText(text),
      (failure: unknown) =>
        gone.signal.aborted || onFailure(isNamed(failure, 'NotAllowedError') ? 'refused' : 'missing'),
    )
    return () => gone.abort()
    // The camera runs as long as this is shown.
  }, [])
  return (
    <div className={styles['camera']}>
      <video ref={video} muted playsInline aria-label={words.picture} />
      <p role="status">{words.lead}</p>
      <Button className="plain wide" onPress={onStop}>
        <CloseIcon />
        {words.stop}
      </Button>
    </div>
  )
}

const isNamed = (failure: unknown, name: string): boolean =>
  failure instanceof DOMException && failure.name === name

/** What the first QR code before the camera says; undefined when stopped before. */
async function read(video: HTMLVideoElement, stop: AbortSignal): Promise<string | undefined> {
  const { frameLoop, QRCanvas, rearCamera } = await import('qr/dom.js')
  if (stop.aborted) return undefined
  const [camera, canvas] = [await rearCamera(video), new QRCanvas()]
  let end = (): void => undefined
  try {
    return await new Promise<string | undefined>((resolve) => {
      stop.addEventListener('abort', () => resolve(undefined))
      if (stop.aborted) resolve(undefined)
      const look = async (): Promise<void> => {
        const seen = await camera.readFrame(canvas)
        if (typeof seen === 'string' && seen !== '') resolve(seen)
      }
      // A frame that cannot be read is followed by the next.
      end = frameLoop(() => void look().catch(() => undefined), video)
    })
  } finally {
    end()
    camera.stop()
  }
}
