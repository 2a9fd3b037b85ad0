import { z } from 'zod'
import { bytesOf, size } from './size.ts'

/** Less, and nothing starts. */
const leastBytes = 64 * 1024 ** 2

export const LimitsKeys = z.strictObject({
  minutes: z.number().positive().max(1440).default(60).describe('The run is ended after this long.'),
  usd: z.number().positive().optional().describe('Money for the model.'),
  turns: z.number().int().positive().optional().describe('Turns of the agent.'),
  at_once: z
    .number()
    .int()
    .min(1)
    .max(1000)
    .optional()
    .describe('Runs at work at the same time, whatever their concurrency keys.'),
  memory: size
    .refine((written) => bytesOf(written) >= leastBytes, 'must be at least 64MB')
    .optional()
    .describe('Memory of the agent and all it starts, such as 4GB.'),
  cpus: z.number().min(0.1).max(1024).optional().describe('Processors of the agent and all it starts.'),
  processes: z.number().int().min(16).max(1_000_000).optional().describe('Processes and threads of the agent.'),
  disk: size
    .refine((written) => bytesOf(written) >= leastBytes, 'must be at least 64MB')
    .optional()
    .describe('Room that its checkout and its home may take, such as 10GB.'),
})
