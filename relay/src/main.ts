process.stderr.write('usage: sotto-relay <command>\n')
process.exitCode = 2
