import type { PolicyView } from '@sotto/core'
import { useState } from 'react'
import { CheckboxButton, CheckboxField } from 'react-aria-components'
import type { Rights } from './group-rights.ts'
import type { Model } from './model.ts'
import { Select } from './select.tsx'
import { errorWords, strings } from './strings.ts'
import { Tick } from './tick.tsx'
import styles from './dialog.module.css'
import lists from './lists.module.css'

const words = strings.group
const none = 'none'
const hourMs = 3_600_000
const dayMs = 24 * hourMs
const retentions = [30 * dayMs, 90 * dayMs, 365 * dayMs]
const timers = [hourMs, dayMs, 7 * dayMs, 28 * dayMs]
const switches = ['membersAdmit', 'adminsRedact', 'adminsGrantAdmin'] as const

type Options = readonly (readonly [string, string])[]

interface RulesProps {
  readonly model: Model
  readonly conversationId: string
  readonly policy: PolicyView
  readonly rights: Rights
}

/** The rules, each an operation of its own; who may set them sees them as fields. */
export function Rules({ model, conversationId, policy, rights }: RulesProps) {
  const [error, setError] = useState<string>()
  const set = (change: Partial<PolicyView>): void => {
    setError(undefined)
    model.face.dispatch('group-policy', { conversationId, ...change }).then(
      () => model.refresh('around'),
      (failure: unknown) => setError(errorWords(failure)),
    )
  }
  const isDisabled = !rights.mayRule
  const numberOf = (value: string): number | null => (value === none ? null : Number(value))
  return (
    <section className={styles['part']}>
      <h3>{words.rules}</h3>
      {isDisabled && <p className="fine">{words.rulesRead}</p>}
      {error !== undefined && <p role="alert">{error}</p>}
      <Select
        label={words.history}
        value={String(policy.historyDays ?? none)}
        options={historyOptions(policy.historyDays)}
        isDisabled={isDisabled}
        onChange={(value) => set({ historyDays: numberOf(value) })}
      />
      <Select
        label={words.retention}
        value={String(policy.retentionMs ?? none)}
        options={timeOptions(retentions, policy.retentionMs)}
        isDisabled={isDisabled}
        onChange={(value) => set({ retentionMs: numberOf(value) })}
      />
      <Select
        label={words.timer}
        value={String(policy.timerMs ?? none)}
        options={timeOptions(timers, policy.timerMs)}
        isDisabled={isDisabled}
        onChange={(value) => set({ timerMs: numberOf(value) })}
      />
      {switches.map((rule) => (
        <CheckboxField
          key={rule}
          isSelected={policy[rule]}
          isDisabled={rule === 'adminsGrantAdmin' ? !rights.isOwner : isDisabled}
          onChange={(allowed) => set({ [rule]: allowed })}
        >
          <CheckboxButton className={lists['choice'] ?? ''}>
            <span>{words[rule]}</span>
            <Tick />
          </CheckboxButton>
        </CheckboxField>
      ))}
    </section>
  )
}

/** The usual choices, and the one that is set when it is none of them. */
function historyOptions(days: number | null): Options {
  const usual: Options = Object.entries(words.historyChoices)
  const set = days === null || usual.some(([value]) => value === String(days)) ? [] : [days]
  return [...usual, ...set.map((one) => [String(one), words.days(one)] as const), [none, words.historyAll]]
}

function timeOptions(usual: readonly number[], set: number | null): Options {
  const all = set === null || usual.includes(set) ? usual : [...usual, set].toSorted((a, b) => a - b)
  return [...all.map((ms) => [String(ms), words.ms(ms)] as const), [none, words.never]]
}
