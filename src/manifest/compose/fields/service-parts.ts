import { byNode, type ComposeFields, honoured, refused } from './types.ts'

const NO_BINDS = 'only named volumes and tmpfs are mounted'
const ENGINE_NETWORK = 'the engine chooses addresses; leave it out'
const ONE_COPY = 'a project runs once, as one pod'
const NO_UPDATES = 'a newer version takes the place of the whole pod'

const file = (kind: string): ComposeFields => ({
  source: honoured(`A ${kind} of the file`),
  target: honoured(
    kind === 'secret'
      ? 'A name in /run/secrets, or a path in a directory of its own; that directory shows nothing else'
      : 'Required: a path in a directory of its own, such as /etc/web/; that directory shows nothing else'
  ),
  mode: honoured(`Octal. Default ${kind === 'secret' ? '0400' : '0444'}`),
  uid: refused("files belong to the service's user; leave it out"),
  gid: refused("files belong to the service's user; leave it out")
})

/** What the long syntax of a service's fields may hold. */
export const SERVICE_PARTS = {
  port: {
    target: honoured('Required'),
    published: honoured('Unset or 0 lets the node allocate one'),
    host_ip: honoured('An address of the machine'),
    protocol: honoured('`tcp` or `udp`'),
    mode: byNode('Without effect: a port is published on the machine that runs the copy'),
    name: byNode('Without effect'),
    app_protocol: byNode('Without effect')
  },
  mount: {
    type: honoured('`volume` or `tmpfs`; a bind is refused'),
    source: honoured('A volume of the file; unset makes one that goes with the copy'),
    target: honoured('Required'),
    read_only: honoured(),
    volume: honoured('', {
      fields: {
        nocopy: refused('a new volume is empty, whatever the image has there', true, 'true'),
        subpath: refused('parts of a volume are not mounted'),
        labels: refused('write labels at the volume')
      }
    }),
    tmpfs: honoured('', {
      fields: {
        size: honoured('Bytes, with b, k, m or g'),
        mode: refused('everybody may write to a tmpfs')
      }
    }),
    bind: refused(NO_BINDS),
    image: refused(NO_BINDS),
    consistency: refused('it has no meaning on Linux', 'consistent', 'cached', 'delegated')
  },
  config: file('config'),
  secret: file('secret'),
  dependency: {
    condition: honoured(
      '`service_started`, `service_healthy` (needs a `restart`, because containers start together), `service_completed_successfully`'
    ),
    required: honoured('`false` accepts that the service is not in the file'),
    restart: refused('containers are restarted one by one', false, 'false')
  },
  network: {
    aliases: honoured('More names of the service'),
    ipv4_address: refused(ENGINE_NETWORK),
    ipv6_address: refused(ENGINE_NETWORK),
    link_local_ips: refused(ENGINE_NETWORK),
    mac_address: refused(ENGINE_NETWORK),
    interface_name: refused(ENGINE_NETWORK),
    driver_opts: refused(ENGINE_NETWORK),
    priority: refused(ENGINE_NETWORK),
    gw_priority: refused(ENGINE_NETWORK)
  },
  healthcheck: {
    test: honoured('A string, `CMD`, `CMD-SHELL` or `NONE`; run in the container'),
    interval: honoured('Rounded up to seconds. Default 30s'),
    timeout: honoured('Rounded up to seconds. Default 30s'),
    retries: honoured('Default 3'),
    start_period: byNode(
      'Without effect: a copy is not ready before the first success, whatever failed before'
    ),
    start_interval: refused('a probe has one interval'),
    disable: honoured()
  },
  deploy: {
    resources: honoured('', {
      fields: {
        limits: honoured('', {
          fields: {
            cpus: honoured('As `cpus`'),
            memory: honoured('As `mem_limit`'),
            pids: honoured('As `pids_limit`')
          }
        }),
        reservations: honoured('', {
          fields: {
            cpus: honoured('What the planner reserves'),
            memory: honoured('What the planner reserves'),
            generic_resources: refused('devices are not handed to workloads'),
            devices: refused('devices are not handed to workloads')
          }
        })
      }
    }),
    restart_policy: honoured('', {
      fields: {
        condition: honoured('`none`, `any`, `on-failure`; wins over `restart`'),
        delay: refused('the node has a back-off of its own'),
        max_attempts: refused('the node goes on restarting, with back-off'),
        window: refused('the node has a back-off of its own')
      }
    }),
    replicas: refused(`${ONE_COPY}; write a Deployment for copies`, 1, '1'),
    mode: refused(`${ONE_COPY}; write a DaemonSet for one on each node`, 'replicated'),
    labels: refused('there is no object that stands for a service; write labels at the service'),
    placement: refused('name machines with --to when you apply'),
    endpoint_mode: refused('there is no virtual address'),
    update_config: refused(NO_UPDATES),
    rollback_config: refused(NO_UPDATES)
  }
} satisfies Record<string, ComposeFields>
