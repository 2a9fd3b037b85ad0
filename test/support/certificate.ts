import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/** A certificate for this machine, and for hosts of these names, that nobody vouches for, and its key, as files in `folder`. */
export function createCertificate(folder: string, names: readonly string[] = []): { key: string; certificate: string } {
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
  const alternatives = ['localhost', ...names].map((name) => `DNS:${name}`).join(',')
  const subject = ['-subj', '/CN=localhost', '-addext', `subjectAltName=${alternatives},IP:127.0.0.1`, '-days', '2']
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']
  const made = ['req', '-x509', ...curve, '-nodes', '-keyout', key, '-out', certificate, ...subject]
  execFileSync('openssl', made, { stdio: 'ignore' })
  return { key, certificate }
}
