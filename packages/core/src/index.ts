export { InvariantError, SottoError, UsageError, PortError } from './errors.ts'
export type { ErrorDetail, Fault, Verdict } from './errors.ts'
export { createDevice } from './device/device.ts'
export type { Device, DeviceOptions } from './device/device.ts'
export { directProtocol, inviteProtocol, linkProtocol } from './device/protocols.ts'
export { initCrdt } from './history/index.ts'
export type { Crdt } from './history/index.ts'
export { limits } from './limits.ts'
export type {
  AddedView,
  AuditView,
  CommandName,
  Commands,
  ConnectionState,
  ContactView,
  ConversationView,
  DeliveryState,
  DeviceEvent,
  DeviceFace,
  GroupRole,
  HistoryChoice,
  DetailsView,
  DraftView,
  HistoryView,
  InviteView,
  MemberView,
  MessageView,
  OwnDeviceView,
  PolicyView,
  Queries,
  QueryName,
  RelayView,
  RequestView,
  SelfView,
  SettingKey,
  SettingsView,
  StatusView,
  ToldView,
  WarningView,
} from './device/api.ts'
