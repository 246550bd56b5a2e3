#!/usr/bin/env node
import { command } from '../command.mjs'

await command('relay/bin/sotto-relay.mjs')
