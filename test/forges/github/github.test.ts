import { forgeContract } from '../../contract/forge.ts'
import { asOwner, openGitHubGround } from '../../support/github/ground.ts'

forgeContract('github, as an App', () => openGitHubGround())
forgeContract('github, with a token', () => openGitHubGround({ auth: asOwner }))
