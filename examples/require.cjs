/** The same library from CommonJS: Node ≥ 20.19 loads ES modules through `require`. */
const { createGroundline } = require('groundline/preset')

async function main() {
  const ground = await createGroundline()
  await ground.add([{ id: 'keys.md', text: 'Keys are rotated every ninety days.' }])
  const { passages } = await ground.retrieve('rotate keys')
  console.log(passages[0].text)
  await ground.close()
}

main()
