import { readHosts, type HostList, type SecretSource } from './secret-source.ts'

/** `OVERNIGHT_SECRET_<NAME>` and `OVERNIGHT_SECRET_<NAME>_HOSTS`: `values` without what they begin with. Changed by a new start alone. */
export function createEnvironmentSource(values: Readonly<Record<string, string>>): SecretSource & HostList {
  const read = (name: string) => (Object.hasOwn(values, name) && values[name] !== '' ? values[name] : undefined)
  return {
    async find(name) {
      const value = read(name)
      return value === undefined ? undefined : { value }
    },
    async hostsOf(name) {
      const written = read(`${name}_HOSTS`)
      return written === undefined ? undefined : readHosts(written)
    },
  }
}
