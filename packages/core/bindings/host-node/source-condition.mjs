/** Module hook: resolves every import with the `sotto-source` condition, as `node --conditions` would. */
export function resolve(specifier, context, next) {
  return next(specifier, { ...context, conditions: [...context.conditions, 'sotto-source'] })
}
