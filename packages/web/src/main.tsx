import './trusted-types.ts'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { createTab } from './create-tab.ts'
import { App } from './ui/app.tsx'
import './ui/base.css'

const root = document.getElementById('app')
if (root !== null)
  createRoot(root).render(
    <StrictMode>
      <App tab={createTab()} />
    </StrictMode>,
  )
