import { dirname } from 'node:path'

/** PATH of commands that bring none. The running Node comes first, so that `node` is the version this program needs. */
export const commandPath = `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`
