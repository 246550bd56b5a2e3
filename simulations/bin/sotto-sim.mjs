#!/usr/bin/env node
import { launch } from '@sotto/core/launch'

await launch(new URL('../main.ts', import.meta.url))
