export { InvariantError, SottoError, UsageError, PortError } from './errors.ts'
export type { ErrorDetail, Fault, Verdict } from './errors.ts'
export { createDevice } from './device/device.ts'
export type { Device, DeviceOptions } from './device/device.ts'
export { directProtocol, inviteProtocol } from './device/protocols.ts'
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
