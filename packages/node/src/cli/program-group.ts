import type { Command } from 'commander'
import { arg, done, reach } from './bind.ts'
import type { Bind } from './bind.ts'
import { runDevicesList, runDevicesRemove } from './devices.ts'
import {
  runAudit,
  runGroupAdd,
  runGroupAudit,
  runGroupLeave,
  runGroupMembers,
  runGroupNew,
  runGroupRemove,
  runGroupRename,
  runGroupRole,
} from './group.ts'
import { runGroupPolicy } from './policy.ts'

/** `sotto group …` and `sotto audit` */
export function addGroups(program: Command, bind: Bind): void {
  const group = program.command('group').description('conversations of several people')
  bind(
    group.command('new <name>').description('open one').option('--member <who...>', 'with these contacts'),
    (context, args, given) => runGroupNew(context, arg(args, 0), (given['member'] ?? []) as string[]),
  )
  bind(group.command('members <group>').description('who is in it'), (context, args) =>
    runGroupMembers(context, arg(args, 0)),
  )
  bind(group.command('add <group> <who>').description('let a contact in'), (context, args) =>
    runGroupAdd(context, arg(args, 0), arg(args, 1)),
  )
  bind(group.command('remove <group> <who>').description('put a member out'), (context, args) =>
    runGroupRemove(context, arg(args, 0), arg(args, 1)),
  )
  bind(
    group.command('role <group> <who> <role>').description('make a member owner, admin or member'),
    (context, args) => runGroupRole(context, arg(args, 0), arg(args, 1), arg(args, 2)),
  )
  bind(group.command('leave <group>').description('end your own part'), (context, args) =>
    runGroupLeave(context, arg(args, 0)),
  )
  bind(group.command('rename <group> <name>').description('give it another name'), (context, args) =>
    runGroupRename(context, arg(args, 0), arg(args, 1)),
  )
  bind(
    group
      .command('policy <group>')
      .description('show its rules, or set those that are given')
      .option('--history <rule>', 'what newcomers are shown: from-join, all or days:30')
      .option('--retain <time>', 'forget what is older; off keeps')
      .option('--timer <time>', 'how long new messages live; off for ever')
      .option('--admins-grant-admin <switch>', 'whether admins name admins: on or off')
      .option('--members-admit <switch>', 'whether members let others in: on or off')
      .option('--admins-redact <switch>', 'whether admins take others’ messages back: on or off'),
    (context, args, given) => runGroupPolicy(context, arg(args, 0), given),
  )
  bind(group.command('audit <group>').description('what happened to members and rules'), (context, args) =>
    runGroupAudit(context, arg(args, 0)),
  )
  bind(program.command('audit').description('what happened to devices, members and rules'), (context) =>
    runAudit(context),
  )
}

/** `sotto devices …` */
export function addDevices(program: Command, bind: Bind): void {
  const devices = program.command('devices').description('the devices of this account')
  bind(devices.command('list').description('show all'), (context) => runDevicesList(context))
  bind(
    reach(
      devices
        .command('link')
        .description('on a new device: show a code and wait until a device of the account approves it'),
    )
      .option('--name <name>', 'how this device is called')
      .option('--yes', 'without comparing the emoji'),
    async (context, _args, given) => done((await import('./link.ts')).runDevicesLink(context, given)),
  )
  bind(
    devices
      .command('approve <code>')
      .description('on a device of the account: take a new device in, by its code or link')
      .option('--history <rule>', 'what it is given: all, days:30 or none')
      .option('--yes', 'without comparing the emoji'),
    async (context, args, given) =>
      (await import('./link.ts')).runDevicesApprove(context, arg(args, 0), given),
  )
  bind(
    devices.command('remove <device>').description('put a device out').option('--yes', 'without asking'),
    (context, args, given) => runDevicesRemove(context, arg(args, 0), given['yes'] === true),
  )
}
