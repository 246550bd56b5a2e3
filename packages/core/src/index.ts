export { InvariantError, SottoError, UsageError, PortError } from './errors.ts'
export type { ErrorDetail, Fault, Verdict } from './errors.ts'
export { limits } from './limits.ts'
export type {
  AddedView,
  CommandName,
  Commands,
  ConnectionState,
  ContactView,
  ConversationView,
  DeliveryState,
  DeviceEvent,
  DeviceFace,
  HistoryView,
  InviteView,
  MessageView,
  Queries,
  QueryName,
  RelayView,
  RequestView,
  SelfView,
  SettingKey,
  SettingsView,
  StatusView,
  WarningView,
} from './device/api.ts'
