import { useStore } from '@nanostores/react'
import { useEffect, useMemo, useState } from 'react'
import type { Tab, TabState } from '../create-tab.ts'
import { Main } from './main.tsx'
import { createModel, type Model } from './model.ts'
import { strings } from './strings.ts'
import { Trouble } from './trouble.tsx'
import { Welcome } from './welcome.tsx'
import styles from './app.module.css'

/** The whole app, by where the tab stands. */
export function App({ tab }: { readonly tab: Tab }) {
  const state = useStore(tab.state)
  switch (state.phase) {
    case 'starting':
      return <Starting />
    case 'failed':
      return <Trouble code={state.code} tab={tab} />
    case 'ready':
      return <Ready key={state.turn} tab={tab} state={state} />
  }
}

type ReadyState = Extract<TabState, { phase: 'ready' }>

function Ready({ tab, state }: { readonly tab: Tab; readonly state: ReadyState }) {
  const model = useModel(state)
  return model === undefined ? <Starting /> : <Account tab={tab} role={state.role} model={model} />
}

function useModel(state: ReadyState): Model | undefined {
  const [model, setModel] = useState<Model>()
  useEffect(() => {
    const made = createModel(state.face)
    setModel(made)
    return () => made.stop()
  }, [state])
  return model
}

interface AccountProps {
  readonly tab: Tab
  readonly role: ReadyState['role']
  readonly model: Model
}

function Account({ tab, role, model }: AccountProps) {
  const self = useStore(model.self)
  const here = role === 'own'
  useEffect(() => {
    if (here && self) tab.remember()
  }, [here, self, tab])
  useRelayOfHost(tab, model, here)
  if (self === undefined) return <Starting />
  if (self === null) return <Welcome model={model} />
  return <Main tab={tab} role={role} model={model} self={self} />
}

/** The relay that serves the page is one of ours from the start. */
function useRelayOfHost(tab: Tab, model: Model, here: boolean): void {
  useEffect(() => {
    if (!here) return
    void tab.relay().then(async (address) => {
      if (address === undefined) return
      const relays = await model.face.view('relays', {})
      if (!relays.some((relay) => relay.address === address))
        await model.face.dispatch('add-relay', { address })
      model.refresh('status')
    }, ignore)
  }, [tab, model, here])
}

const ignore = (): undefined => undefined

/** Says that it is starting only when that takes long enough to be noticed. */
function Starting() {
  const [late, setLate] = useState(false)
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 1_000)
    return () => clearTimeout(timer)
  }, [])
  const words = useMemo(() => (late ? strings.starting : ''), [late])
  return (
    <main className={styles['starting']} aria-busy="true">
      <p role="status">{words}</p>
    </main>
  )
}
