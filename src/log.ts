import { pino, type Logger } from 'pino'

export type Log = Logger

/** One event, one JSON line on stderr (stdout belongs to `--json`); pino escapes control characters. `redact` is asked for each line. */
export function createLog(level: string, redact: (line: string) => string = (line) => line): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: { streamWrite: redact },
      redact: {
        paths: ['token', '*.token', 'authorization', '*.authorization', 'cookie', '*.cookie'],
        censor: '[redacted]',
      },
    },
    pino.destination({ fd: 2, sync: true }),
  )
}
