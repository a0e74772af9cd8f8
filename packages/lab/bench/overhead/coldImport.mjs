/** Milliseconds that an import takes in a fresh process. Argument: the module's specifier. */
const start = process.hrtime.bigint()
await import(process.argv[2])
process.stdout.write(JSON.stringify({ millis: Number(process.hrtime.bigint() - start) / 1e6 }))
