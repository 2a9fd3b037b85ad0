import { tmpdir } from 'node:os'

/** What the folders of a run outside the data folder are called: `overnight-run.<run>.<more>`, so that what a killed service left is told by its name. */
export const runFolderPrefix = 'overnight-run.'

/** sun_path holds 108 bytes with its end, and the names in a run's folder need 40. */
const longestRoot = 60

/** Where the sockets of runs are: the system's temporary folder, unless no path to a socket fits behind its own. */
export const socketRoot = (folder = tmpdir()): string => (folder.length <= longestRoot ? folder : '/tmp')
