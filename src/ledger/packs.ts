import { and, eq, sql } from './sql.ts'
import { packPieces } from './schema.ts'
import type { Database } from './store.ts'

const pieceBytes = 1024 * 1024

/** Inside the transaction that stores the patch. */
export async function writePack(db: Database, run: string, pack: Buffer): Promise<void> {
  for (let piece = 0; piece * pieceBytes < pack.length; piece++) {
    const bytes = pack.subarray(piece * pieceBytes, (piece + 1) * pieceBytes)
    await db.insert(packPieces).values({ run, piece, bytes }).onConflictDoNothing()
  }
}

export async function readPack(db: Database, run: string): Promise<Buffer> {
  const counted = await db
    .select({ pieces: sql<number>`count(*)::int` })
    .from(packPieces)
    .where(eq(packPieces.run, run))
  const pieces: Buffer[] = []
  for (let piece = 0; piece < counted[0]!.pieces; piece++) {
    const one = and(eq(packPieces.run, run), eq(packPieces.piece, piece))
    const rows = await db.select({ bytes: packPieces.bytes }).from(packPieces).where(one)
    pieces.push(rows[0]!.bytes)
  }
  return Buffer.concat(pieces)
}

/** Piece by piece inside the store: no process holds the pack. */
export async function copyPack(db: Database, from: string, to: string): Promise<void> {
  await db.execute(
    sql`insert into pack_pieces (run, piece, bytes) select ${to}, piece, bytes from pack_pieces where run = ${from}
      on conflict do nothing`,
  )
}
