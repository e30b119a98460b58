import { flagOf, itemsOf, textOf, under } from '../values/spot.ts'
import { type Draft, defined, type Fields, filled, UNSUPPORTED } from './draft.ts'

/** securityContext of the container. */
export function convertSecurity(draft: Draft): Fields {
  const { spot, report, trace } = draft
  trace('securityContext.runAsUser', under(spot, 'user').path)
  trace('securityContext.runAsGroup', under(spot, 'user').path)
  trace('securityContext.readOnlyRootFilesystem', under(spot, 'read_only').path)
  const capabilities = {
    ...filled('add', capabilitiesOf('add', draft)),
    ...filled('drop', capabilitiesOf('drop', draft))
  }
  return filled('securityContext', {
    ...userOf(draft),
    ...defined({
      readOnlyRootFilesystem: flagOf(under(spot, 'read_only'), report),
      allowPrivilegeEscalation: optionsOf(draft)
    }),
    ...filled('capabilities', capabilities)
  })
}

function userOf({ spot, report }: Draft): Fields {
  const place = under(spot, 'user')
  const text = textOf(place, report)
  if (text === undefined) return {}
  const [, user, group] = /^(\d{1,10})(?::(\d{1,10}))?$/.exec(text) ?? []
  if (user === undefined) {
    report(
      place.path,
      'refused',
      'is refused: what number a name has is in the image, which nodes do not look into; write uid or uid:gid',
      { ...UNSUPPORTED, value: text }
    )
    return {}
  }
  return defined({
    runAsUser: Number(user),
    runAsGroup: group === undefined ? undefined : Number(group)
  })
}

function capabilitiesOf(kind: 'add' | 'drop', { spot, report, trace }: Draft): readonly string[] {
  const names = itemsOf(under(spot, `cap_${kind}`), report).map((item) => ({
    path: item.path,
    name: textOf(item, report) ?? ''
  }))
  for (const [index, { path }] of names.entries())
    trace(`securityContext.capabilities.${kind}[${index}]`, path)
  trace(`securityContext.capabilities.${kind}`, under(spot, `cap_${kind}`).path)
  return names.map(({ name }) => name.toUpperCase().replace(/^CAP_/, ''))
}

/** allowPrivilegeEscalation: false, or undefined where nothing is said. */
function optionsOf({ spot, report }: Draft): false | undefined {
  let result: false | undefined
  for (const item of itemsOf(under(spot, 'security_opt'), report)) {
    const option = textOf(item, report)
    if (option === 'no-new-privileges' || option === 'no-new-privileges:true') result = false
    else if (option !== undefined && option !== 'no-new-privileges:false')
      report(
        item.path,
        'refused',
        'is refused: the engine chooses its profiles; only no-new-privileges is taken',
        {
          ...UNSUPPORTED,
          value: option
        }
      )
  }
  return result
}
