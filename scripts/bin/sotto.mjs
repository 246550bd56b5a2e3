#!/usr/bin/env node
import { command } from '../command.mjs'

await command('packages/node/bin/sotto.mjs')
