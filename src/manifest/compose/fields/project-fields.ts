import { SERVICE_FIELDS } from './service-fields.ts'
import { byNode, type ComposeFields, honoured, ONLY_THIS_DOCUMENT, refused } from './types.ts'

const OWN_NETWORK = 'the services share the network of one pod; leave it out'
const NO_DRIVERS = 'there are no storage drivers on a node; every volume is a directory on its machine'
const INLINE = 'only this document travels; write it under content'

/** Every field of a Compose file. Source: schema/compose-spec.json of github.com/compose-spec/compose-spec at 170098b. */
export const PROJECT_FIELDS: ComposeFields = {
  name: honoured('Required: the name of the Pod, a DNS label'),
  version: byNode('Without effect'),
  services: honoured('One container each, at most 8, and 8 that run to their end before', {
    entries: SERVICE_FIELDS
  }),
  volumes: honoured('PersistentVolumeClaims named `<project>-<volume>`; at least one service uses each', {
    entries: {
      name: honoured('In place of `<project>-<volume>`; still of this manifest only'),
      labels: honoured('Kept with the claim'),
      driver: refused(NO_DRIVERS, 'local', 'default'),
      driver_opts: refused(NO_DRIVERS),
      external: refused('a volume belongs to its manifest; leave it out', false, 'false')
    }
  }),
  configs: honoured('Keys of one ConfigMap; at least one service uses each', {
    entries: {
      content: honoured('Text; `$$` is a `$`'),
      file: refused(INLINE),
      environment: refused(INLINE),
      external: refused(INLINE, false, 'false'),
      name: byNode('Without effect: services use the key'),
      labels: refused('there is no object that stands for it'),
      template_driver: refused('contents are taken as they are')
    }
  }),
  secrets: honoured('Keys of one Secret, sealed with the Pod; at least one service uses each', {
    entries: {
      content: honoured('Text; `$$` is a `$`. Not in the specification, where nothing travels'),
      file: refused(INLINE),
      environment: refused(INLINE),
      external: refused(INLINE, false, 'false'),
      name: byNode('Without effect: services use the key'),
      labels: refused('there is no object that stands for it'),
      driver: refused('only the content travels'),
      driver_opts: refused('only the content travels'),
      template_driver: refused('contents are taken as they are')
    }
  }),
  networks: honoured('Accepted, see `networks` of a service; at least one service uses each but `default`', {
    entries: {
      name: byNode('Without effect: no network is made'),
      driver: refused(OWN_NETWORK, 'bridge', 'default'),
      driver_opts: refused(OWN_NETWORK),
      external: refused('containers outside the project cannot be reached by name', false, 'false'),
      internal: refused('a pod can reach the outside', false, 'false'),
      attachable: refused(OWN_NETWORK, false, 'false'),
      enable_ipv4: refused(OWN_NETWORK, true, 'true'),
      enable_ipv6: refused(OWN_NETWORK, false, 'false'),
      ipam: refused(OWN_NETWORK),
      labels: refused(OWN_NETWORK)
    }
  }),
  include: refused(ONLY_THIS_DOCUMENT),
  models: refused('there is no model runner on a node'),
  'x-beemesh': honoured('Other `x-` fields are ignored, here and at every level', {
    fields: {
      engine: honoured('The engine that must run it. Default `docker`'),
      namespace: honoured("Defaults to the command's namespace, else `default`"),
      annotations: honoured('Those of `beemesh.io/`, see above')
    }
  })
}
