import { text } from 'node:stream/consumers'
import { messageOf } from '../../errors.ts'
import { commandPath } from './command-path.ts'
import { holdNamespace } from './hold.ts'
import { startCommand } from './start.ts'

/** Really starts a command behind `launcher`: it must find itself to be number 2 of a new pid namespace. Otherwise the sentence why not. */
export async function whyNotNamespaced(launcher: readonly string[], filter?: Buffer): Promise<string | undefined> {
  try {
    const argv = ['/bin/sh', '-c', 'echo $$']
    const env = { PATH: commandPath }
    const command = await startCommand({ launcher, launcherCwd: '/', argv, env, takeHold: holdNamespace, filter })
    const number = (await text(command.stdout)).trim()
    await command.exit
    return number === '2' ? undefined : `a command was number ${number} instead of 2 in its pid namespace`
  } catch (error) {
    return messageOf(error)
  }
}
