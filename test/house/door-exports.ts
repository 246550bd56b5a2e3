import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const core = new URL('../../packages/core/', import.meta.url)
const condition = 'sotto-source'

/** The committed list: the sorted export names (values and types) of each door. */
export const committedList = fileURLToPath(new URL('exports.json', import.meta.url))

function declaredNames(statement: ts.Statement): string[] {
  if (ts.isExportDeclaration(statement)) {
    const clause = statement.exportClause
    if (clause === undefined) return ['*']
    return ts.isNamedExports(clause) ? clause.elements.map(({ name }) => name.text) : [clause.name.text]
  }
  const exported =
    ts.canHaveModifiers(statement) &&
    ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true
  if (!exported) return []
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.map(({ name }) => name.getText())
  const { name } = statement as ts.Statement & { name?: ts.Identifier }
  return name === undefined ? [] : [name.text]
}

function exportsOf(source: URL): string[] {
  const text = readFileSync(source, 'utf8')
  const file = ts.createSourceFile(source.pathname, text, ts.ScriptTarget.Latest, true)
  return [...new Set(file.statements.flatMap(declaredNames))].sort()
}

/** Export names of every door of the core package whose source exists, by door, as its index states them. */
export function doorExports(): Record<string, string[]> {
  const manifest = JSON.parse(readFileSync(new URL('package.json', core), 'utf8')) as {
    exports: Record<string, string | Record<string, string>>
  }
  const lists: Record<string, string[]> = {}
  for (const [door, target] of Object.entries(manifest.exports)) {
    const path = typeof target === 'string' ? undefined : target[condition]
    if (path === undefined) continue
    const source = new URL(path, core)
    if (existsSync(source)) lists[door] = exportsOf(source)
  }
  return lists
}
