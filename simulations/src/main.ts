process.stderr.write('usage: sotto-sim <command>\n')
process.exitCode = 2
