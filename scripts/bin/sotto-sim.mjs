#!/usr/bin/env node
import { command } from '../command.mjs'

await command('simulations/bin/sotto-sim.mjs')
