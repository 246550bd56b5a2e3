import { Command, CommanderError } from 'commander'
import {
  runConfigGet,
  runConfigSet,
  runInit,
  runRecoveryConfirm,
  runRecoveryWords,
  runStatus,
  runVersion,
  runWipe,
} from './account.ts'
import { arg, done, reach } from './bind.ts'
import type { Bind, Given } from './bind.ts'
import { runDelete, runEdit, runExport, runReact } from './change.ts'
import { runDown } from './down.ts'
import { outOutcome } from './io.ts'
import type { GlobalOptions, Io } from './io.ts'
import { runListen } from './listen.ts'
import { readStdin, runHistory, runRead, runSend } from './message.ts'
import { runAbout } from './about.ts'
import { notBuilt, notBuiltVerbs } from './not-built.ts'
import {
  runAdd,
  runContactsBlock,
  runContactsList,
  runContactsRename,
  runContactsSafety,
  runContactsVerify,
  runInviteList,
  runInviteNew,
  runInviteRevoke,
  runRequestsAccept,
  runRequestsIgnore,
  runRequestsList,
} from './people.ts'
import { addDevices, addGroups } from './program-group.ts'
import { runRelaysAdd, runRelaysList, runRelaysRemove } from './relays.ts'
import type { CliDeps } from './session.ts'

/** Commander's argument list ends with the options and the command itself. */
const stringsOf = (values: readonly unknown[]): string[] =>
  values.filter((value) => typeof value === 'string')

function addAccount(program: Command, bind: Bind): void {
  bind(
    program
      .command('init')
      .description('make an account on this device')
      .option('--name <name>', 'your name; others see it')
      .option('--restore <file>', 'from a backup'),
    (context, _args, given) => {
      if (given['restore'] !== undefined) throw notBuilt('restoring a backup')
      return runInit(context, given)
    },
  )
  bind(program.command('status').description('how this device stands'), (context) => runStatus(context))
  bind(program.command('version').description('what this is'), () => runVersion())
  bind(
    program.command('wipe').description('erase this home').option('--yes', 'without asking'),
    (context, _args, given) => runWipe(context, given['yes'] === true),
  )
  const config = program.command('config').description('settings of this account')
  bind(config.command('get [key]').description('one setting, or all'), (context, args) =>
    runConfigGet(context, args[0]),
  )
  bind(config.command('set <key> <value>').description('change a setting'), (context, args) =>
    runConfigSet(context, arg(args, 0), arg(args, 1)),
  )
  const recovery = program.command('recovery').description('the 24 words that bring an account back')
  bind(recovery.command('words').description('show them'), (context) => runRecoveryWords(context))
  bind(
    recovery
      .command('confirm')
      .description('prove that you have them: three lines “NUMBER WORD” on standard input'),
    async (context) => runRecoveryConfirm(context, await readStdin(context.io)),
  )
}

function addNode(program: Command, bind: Bind): void {
  bind(
    reach(program.command('up').description('run until interrupted')).option(
      '--detach',
      'return once it is ready',
    ),
    async (context, _args, given) => done((await import('./up.ts')).runUp(context, given)),
  )
  bind(program.command('down').description('end what runs'), (context) => runDown(context))
  bind(
    reach(
      program.command('start').description('run, with a chat on this terminal and the app on this machine'),
    )
      .option('--name <name>', 'your name, on the first start')
      .option('--local', 'listen on this machine alone')
      .option('--port <port>', 'port of the app'),
    async (context, _args, given) => done((await import('./start.ts')).runStart(context, given)),
  )
  bind(
    program
      .command('demo')
      .description('two people, a relay, a cut and a heal on this machine')
      .option('--check', 'say only whether it went right'),
    async (context, _args, given) => (await import('./demo.ts')).runDemo(context, given['check'] === true),
  )
}

function addPeople(program: Command, bind: Bind): void {
  const invite = program.command('invite').description('links that let somebody reach you')
  bind(
    invite
      .command('new')
      .description('make one')
      .option('--expires <time>', 'how long it works (7d)')
      .option('--uses <count>', 'how often it works (1)')
      .option('--direct', 'with addresses of this device, for a peer without a relay in common')
      .option('--group <group>', 'into a group; somebody of it lets in who opens the link'),
    (context, _args, given) => runInviteNew(context, given),
  )
  bind(invite.command('list').description('show all'), (context) => runInviteList(context))
  bind(invite.command('revoke <id>').description('end one'), (context, args) =>
    runInviteRevoke(context, arg(args, 0)),
  )
  bind(
    program.command('add <link>').description('open somebody’s link (- reads it from standard input)'),
    async (context, args) => runAdd(context, args[0] === '-' ? await readStdin(context.io) : arg(args, 0)),
  )
  const requests = program
    .command('requests')
    .description('people who want to write to you, or into a group of yours')
  bind(requests.command('list').description('show all'), (context) => runRequestsList(context))
  bind(requests.command('accept <id>').description('let them'), (context, args) =>
    runRequestsAccept(context, arg(args, 0)),
  )
  bind(requests.command('ignore <id>').description('do not'), (context, args) =>
    runRequestsIgnore(context, arg(args, 0)),
  )
  const contacts = program.command('contacts').description('people you know')
  bind(contacts.command('list').description('show all'), (context) => runContactsList(context))
  bind(
    contacts.command('rename <who> <name>').description('see somebody under another name'),
    (context, args) => runContactsRename(context, arg(args, 0), arg(args, 1)),
  )
  bind(contacts.command('block <who>').description('take nothing from somebody'), (context, args) =>
    runContactsBlock(context, arg(args, 0), true),
  )
  bind(contacts.command('unblock <who>').description('undo that'), (context, args) =>
    runContactsBlock(context, arg(args, 0), false),
  )
  bind(
    contacts.command('safety <who>').description('the number both of you see when nobody is between'),
    (context, args) => runContactsSafety(context, arg(args, 0)),
  )
  bind(
    contacts
      .command('verify <who>')
      .option('--number <digits>', 'the safety number as the other person sees it')
      .description('note that your safety numbers are the same'),
    (context, args, given) => runContactsVerify(context, arg(args, 0), given),
  )
}

function addMessages(program: Command, bind: Bind): void {
  bind(
    program
      .command('send <who> [text]')
      .description('write to somebody or to a group (- reads the text from standard input)')
      .option('--wait <step>', 'return when it is queued, at a relay, or at their device (queued)')
      .option('--timeout <time>', 'give up waiting; it stays queued (30s)')
      .option('-f, --file <file...>', 'with files')
      .option('--reply <id>', 'as a reply to a message'),
    (context, args, given) => {
      if (given['file'] !== undefined) throw notBuilt('sending files')
      return runSend(context, arg(args, 0), args[1] ?? '-', given)
    },
  )
  bind(
    program
      .command('history <who>')
      .description('what was said')
      .option('--since <time>', 'from a moment on, or 2h for the last two hours')
      .option('--limit <count>', 'the newest so many'),
    (context, args, given) => runHistory(context, arg(args, 0), given),
  )
  bind(
    program
      .command('about <who>')
      .description('topic, pinned messages and shared note of a conversation; sets those that are given')
      .option('--topic <text>', 'what it is about; empty for none')
      .option('--note <text>', 'the shared note (- reads it from standard input)')
      .option('--pin <id>', 'pin a message')
      .option('--unpin <id>', 'undo that'),
    (context, args, given) => runAbout(context, arg(args, 0), given),
  )
  bind(
    program
      .command('edit <id> [text]')
      .description('change a message of yours (- reads the text from standard input)'),
    (context, args) => runEdit(context, arg(args, 0), args[1] ?? '-'),
  )
  bind(program.command('delete <id>').description('take a message back'), (context, args) =>
    runDelete(context, arg(args, 0)),
  )
  bind(
    program
      .command('react <id> [emoji]')
      .description('react to a message')
      .option('--remove', 'take your reaction back'),
    (context, args, given) => runReact(context, arg(args, 0), args[1], given['remove'] === true),
  )
  bind(
    program
      .command('export <who>')
      .description('a conversation as canonical text, the same on every device that holds the same')
      .option('--format <format>', 'json', 'json'),
    (context, args, given) => done(runExport(context, arg(args, 0), String(given['format']))),
  )
  bind(program.command('read <who>').description('mark all as read'), (context, args) =>
    runRead(context, arg(args, 0)),
  )
  bind(
    program
      .command('listen')
      .description('print what happens, a line each')
      .option('--since <seq>', 'first what happened after this event')
      .option('--previews', 'with texts and names'),
    (context, _args, given) => done(runListen(context, given)),
  )
}

function addRelays(program: Command, bind: Bind): void {
  const relays = program.command('relays').description('relays that keep messages while you are away')
  bind(relays.command('list').description('show all'), (context) => runRelaysList(context))
  bind(relays.command('add <address>').description('use one'), (context, args) =>
    runRelaysAdd(context, arg(args, 0)),
  )
  bind(relays.command('remove <id>').description('stop using one'), (context, args) =>
    runRelaysRemove(context, arg(args, 0)),
  )
}

function addNotBuilt(program: Command, bind: Bind): void {
  for (const verb of notBuiltVerbs) {
    const command = program
      .command(`${verb} [words...]`, { hidden: true })
      .allowUnknownOption()
      .helpOption(false)
    bind(command, () => {
      throw notBuilt(`“${verb}”`)
    })
  }
}

/** Everything `sotto` understands. A command's failure passes through as a throw. */
export function createProgram(deps: CliDeps, io: Io): Command {
  const program = new Command('sotto')
    .description('peer-to-peer, end-to-end encrypted messages')
    .option('--home <dir>', 'where this profile lies (SOTTO_HOME)')
    .option('--json', 'data as JSON on standard output')
    .option('--no-input', 'never ask')
    .option('--passphrase-file <file>', 'passphrase of this home')
    .showHelpAfterError(false)
    .configureHelp({ sortSubcommands: false })
  const bind: Bind = (command, run) =>
    command.action(async (...values: unknown[]) => {
      const options = program.opts<GlobalOptions>()
      const given: Given = command.opts()
      const result = await run({ deps, io, options }, stringsOf(values.slice(0, -2)), given)
      if (result !== undefined) outOutcome(io, options, result)
    })
  addAccount(program, bind)
  addNode(program, bind)
  addPeople(program, bind)
  addMessages(program, bind)
  addGroups(program, bind)
  addDevices(program, bind)
  addRelays(program, bind)
  addNotBuilt(program, bind)
  program.action(async () => {
    if (program.args.length > 0)
      throw new CommanderError(2, 'commander.unknownCommand', `unknown command “${arg(program.args, 0)}”`)
    if (io.stdinIsTerminal && io.stdoutIsTerminal)
      await (await import('./start.ts')).runStart({ deps, io, options: program.opts() }, {})
    else program.outputHelp()
  })
  prepare(program, io)
  return program
}

/** Makes commander throw instead of ending the process, and print through `io`. */
function prepare(command: Command, io: Io): void {
  command.exitOverride()
  command.configureOutput({
    writeOut: (text) => io.out(text),
    writeErr: () => undefined,
    outputError: () => undefined,
  })
  for (const sub of command.commands) prepare(sub, io)
}
