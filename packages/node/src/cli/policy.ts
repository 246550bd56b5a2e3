import { UsageError } from '@sotto/core/ports'
import type { HistoryChoice, PolicyView } from '@sotto/core'
import { findPlace } from '../face/who.ts'
import { onDevice } from './context.ts'
import type { Context } from './context.ts'
import { durationText, parseCount, parseDurationMs } from './duration.ts'
import { historyRule, policyJson } from './group-shapes.ts'
import { outcome } from './io.ts'
import type { Outcome } from './io.ts'
import { warnWhenNotRunning } from './session.ts'
import { table } from './table.ts'

/** N of `days:N`; undefined when the text has another form. */
function parseDays(text: string): number | undefined {
  const days = /^days:(.*)$/s.exec(text)?.[1]
  return days === undefined ? undefined : parseCount(days, 1)
}

/** Days of history a newcomer is shown, from `from-join`, `all` or `days:N`. */
export function parseHistoryRule(text: string): number | null {
  const days = text === 'from-join' ? 0 : text === 'all' ? null : parseDays(text)
  if (days !== undefined) return days
  throw new UsageError('E_USAGE', `“${text}” says nothing about history`, {
    hint: 'Write from-join, all or days:30.',
  })
}

/** What a new device is given, from `all`, `none` or `days:N`. */
export function parseHistoryChoice(text: string): HistoryChoice {
  if (text === 'all' || text === 'none') return text
  const days = parseDays(text)
  if (days !== undefined) return { days }
  throw new UsageError('E_USAGE', `“${text}” says nothing about history`, {
    hint: 'Write all, days:30 or none.',
  })
}

/** A length of time that is more than none, or `off`. */
function parseTime(text: string): number | null {
  if (text === 'off') return null
  const ms = parseDurationMs(text)
  if (ms > 0) return ms
  throw new UsageError('E_USAGE', 'a rule of no time at all would keep nothing', {
    hint: 'Write 30d, or off for no such rule.',
  })
}

function parseSwitch(text: string): boolean {
  if (text === 'on') return true
  if (text === 'off') return false
  throw new UsageError('E_USAGE', `“${text}” is neither on nor off`)
}

export interface PolicyOptions {
  readonly history?: string
  readonly retain?: string
  readonly timer?: string
  readonly adminsGrantAdmin?: string
  readonly membersAdmit?: string
  readonly adminsRedact?: string
}

type Rules = { -readonly [K in keyof PolicyView]?: PolicyView[K] }

function parseRules(given: PolicyOptions): Rules {
  const rules: Rules = {}
  if (given.history !== undefined) rules.historyDays = parseHistoryRule(given.history)
  if (given.retain !== undefined) rules.retentionMs = parseTime(given.retain)
  if (given.timer !== undefined) rules.timerMs = parseTime(given.timer)
  for (const key of ['adminsGrantAdmin', 'membersAdmit', 'adminsRedact'] as const) {
    const value = given[key]
    if (value !== undefined) rules[key] = parseSwitch(value)
  }
  return rules
}

const onOff = (value: boolean): string => (value ? 'on' : 'off')

const policyText = (policy: PolicyView): string =>
  table([
    ['History for newcomers', historyRule(policy.historyDays)],
    ['Kept for', policy.retentionMs === null ? 'ever' : durationText(policy.retentionMs)],
    ['New messages live', policy.timerMs === null ? 'for ever' : durationText(policy.timerMs)],
    ['Admins name admins', onOff(policy.adminsGrantAdmin)],
    ['Members let others in', onOff(policy.membersAdmit)],
    ['Admins take messages back', onOff(policy.adminsRedact)],
  ])

/** `sotto group policy G`: shows the rules, or sets those that are given. */
export const runGroupPolicy = (context: Context, who: string, given: PolicyOptions): Promise<Outcome> =>
  onDevice(context, async (session) => {
    const { face } = session
    const rules = parseRules(given)
    const { conversationId } = await findPlace(face, who)
    const sets = Object.keys(rules).length > 0
    const policy = sets
      ? await face.dispatch('group-policy', { conversationId, ...rules })
      : await face.view('policy', { conversationId })
    if (sets) warnWhenNotRunning(context.io, session)
    return outcome({ conversationId, ...policyJson(policy) }, policyText(policy))
  })
