import { GroundlineError } from '../errors.ts'

/** Loads an optional peer. Throws `MISSING_DEPENDENCY` with the command that installs it when it is not there. */
export async function importPeer<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    throw new GroundlineError('MISSING_DEPENDENCY', `${name} could not be loaded. Install it: npm install ${name}`, {
      cause: error,
      details: { package: name },
    })
  }
}
