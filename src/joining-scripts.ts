const scripts = [
  'Arab',
  'Syrc',
  'Deva',
  'Beng',
  'Guru',
  'Gujr',
  'Orya',
  'Taml',
  'Telu',
  'Knda',
  'Mlym',
  'Sinh',
  'Khmr',
  'Mymr',
  'Mong',
]

/** Letters of scripts whose words need joiners that nobody sees: what stands between brackets in a regex with `u` or `v`. */
export const joiningLetters = scripts.map((script) => String.raw`\p{Script=${script}}`).join('')
