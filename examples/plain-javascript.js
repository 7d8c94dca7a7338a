/** The same library from plain JavaScript, without a build step. */
import { createGroundline } from 'groundline/preset'

const ground = await createGroundline()
await ground.add([{ id: 'keys.md', text: 'Keys are rotated every ninety days.' }])
const { passages } = await ground.retrieve('rotate keys')
console.log(passages[0].text)
await ground.close()
