process.stderr.write('usage: sotto <command>\n')
process.exitCode = 2
