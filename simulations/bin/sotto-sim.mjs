#!/usr/bin/env node
import { launch } from '@sotto/core/launch'

await launch(new URL('../src/main.ts', import.meta.url))
