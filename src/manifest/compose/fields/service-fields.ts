import { SERVICE_PARTS } from './service-parts.ts'
import { byNode, type ComposeFields, honoured, ONLY_THIS_DOCUMENT, refused } from './types.ts'

const OWN_LIMITS = 'nodes limit cpu, memory and processes; write cpus, mem_limit and pids_limit'
const HOST_NAMESPACE = "it would share a namespace of the host's; leave it out"
const NO_DEVICES = 'devices are not handed to workloads'
const NO_RESOLVER = "a pod uses the engine's resolver; write extra_hosts"

/** Every field of a service. Source: schema/compose-spec.json of github.com/compose-spec/compose-spec at 170098b. */
export const SERVICE_FIELDS: ComposeFields = {
  image: honoured('Required; as in a container below'),
  command: honoured(
    'A list, or a string that is split into words as a shell does, without running one; unquoted `;`, `&`, `|`, `<` and `>` are refused'
  ),
  entrypoint: honoured('As `command`. When empty, the command is run by itself'),
  environment: honoured('A map or a list. A variable without a value is refused'),
  ports: honoured(
    'Short and long syntax; ranges are written out, at most 32 ports. Without a host port the node allocates one. A container port belongs to one service and has one host port',
    { items: SERVICE_PARTS.port }
  ),
  expose: byNode('Without effect: services reach each other anyway'),
  volumes: honoured(
    'Named volumes, short and long syntax; an anonymous one goes with the copy. Bind mounts are refused, as hostPath is',
    { items: SERVICE_PARTS.mount }
  ),
  tmpfs: honoured('A path, or a list; of options only `size`'),
  configs: honoured('Names, or the long syntax', { items: SERVICE_PARTS.config }),
  secrets: honoured('Names, or the long syntax', { items: SERVICE_PARTS.secret }),
  depends_on: honoured(
    'Containers are written in that order, and start together. What must complete first becomes an init container',
    { entries: SERVICE_PARTS.dependency }
  ),
  networks: honoured(
    'Accepted where every service shares a network with every other, because containers of a pod do; aliases are honoured',
    { entries: SERVICE_PARTS.network }
  ),
  container_name: honoured('As one more name of the service'),
  hostname: honoured('Of the pod, and one more name of the service; services that have one have the same'),
  extra_hosts: honoured('For all services, because they share one /etc/hosts'),
  restart: honoured(
    'The same at every service, by the node, with back-off: `no` (also when unset), `always`, `unless-stopped`, `on-failure`'
  ),
  healthcheck: honoured('A readinessProbe: what is not healthy is not ready, and is not restarted', {
    fields: SERVICE_PARTS.healthcheck
  }),
  stop_grace_period: honoured('The largest of all services counts. Default 10s'),
  deploy: honoured('', { fields: SERVICE_PARTS.deploy }),
  cpus: honoured('A limit, in whole millicores'),
  mem_limit: honoured('Bytes, with b, k, m or g'),
  mem_reservation: honoured('What the planner reserves'),
  pids_limit: honoured('The same at every service: annotation `beemesh.io/pids-limit`'),
  user: honoured('Numbers, `uid` or `uid:gid`; a name is refused'),
  working_dir: honoured(),
  read_only: honoured('Also makes /tmp and /run read-only; add a tmpfs'),
  cap_add: honoured('Of what engines give by default, after a drop'),
  cap_drop: honoured(),
  privileged: refused(
    "it would give the container the host's devices and full power over it",
    false,
    'false'
  ),
  security_opt: honoured('Only `no-new-privileges`'),
  labels: honoured(
    'On every container of the pod, because its containers share them; as labels of Kubernetes'
  ),
  pull_policy: honoured('`always`, `never`, `missing`, `if_not_present`'),
  scale: refused('a project runs once; write a Deployment for copies', 1, '1'),
  attach: byNode('Without effect: nobody is attached'),

  build: refused('build the image first, push it where nodes find it, and name it under image'),
  env_file: refused(ONLY_THIS_DOCUMENT),
  label_file: refused(ONLY_THIS_DOCUMENT),
  extends: refused(ONLY_THIS_DOCUMENT),
  profiles: refused(`a service runs or is not in the file: ${ONLY_THIS_DOCUMENT}`),
  develop: refused('it is for building on one machine; leave it out'),
  provider: refused('there is no plug-in on a node that could make it'),
  models: refused('there is no model runner on a node'),
  annotations: refused('engines are not handed annotations; write labels'),
  links: refused('services find each other by name; write another name under aliases of networks.default'),
  external_links: refused('containers outside the project cannot be reached by name'),
  volumes_from: refused('name the volume at both services'),
  network_mode: refused('the services share the network of one pod; leave it out', 'bridge'),
  mac_address: refused('the engine chooses addresses'),
  dns: refused(NO_RESOLVER),
  dns_opt: refused(NO_RESOLVER),
  dns_search: refused(NO_RESOLVER),
  domainname: refused('pods have no domain'),
  group_add: refused('groups are for the whole pod; write a Kubernetes Pod with supplementalGroups'),
  init: refused('the engine adds no init process; put one into the image', false, 'false'),
  tty: refused('nobody could attach to it; use beemesh exec', false, 'false'),
  stdin_open: refused('nobody could attach to it; use beemesh exec', false, 'false'),
  stop_signal: refused('the node sends SIGTERM, then SIGKILL', 'SIGTERM', 'TERM', '15', 15),
  post_start: refused('hooks come with a later version'),
  pre_stop: refused('hooks come with a later version; let the program handle SIGTERM itself'),
  logging: refused('the node keeps the log; leave it out and use beemesh logs'),
  platform: refused('where copies run comes with scheduling by labels; name a machine with --to'),
  runtime: refused('choose the engine with x-beemesh'),
  isolation: refused('it is for Windows', 'default'),
  credential_spec: refused('it is for Windows'),
  cpu_count: refused('it is for Windows; write cpus'),
  cpu_percent: refused('it is for Windows; write cpus'),
  cpu_shares: refused(OWN_LIMITS),
  cpu_quota: refused(OWN_LIMITS),
  cpu_period: refused(OWN_LIMITS),
  cpu_rt_period: refused(OWN_LIMITS),
  cpu_rt_runtime: refused(OWN_LIMITS),
  cpuset: refused(OWN_LIMITS),
  blkio_config: refused(OWN_LIMITS),
  memswap_limit: refused('a container has no swap beyond its memory'),
  mem_swappiness: refused('a container has no swap beyond its memory'),
  oom_kill_disable: refused('a container beyond its memory is killed', false, 'false'),
  oom_score_adj: refused('the engine chooses it', 0, '0'),
  shm_size: refused('mount a tmpfs with a size at /dev/shm'),
  storage_opt: refused('engines cannot limit the disk a container uses'),
  ulimits: refused('the engine chooses them'),
  sysctls: refused('it would change kernel settings'),
  devices: refused(NO_DEVICES),
  device_cgroup_rules: refused(NO_DEVICES),
  gpus: refused(NO_DEVICES),
  use_api_socket: refused("it would give full power over the host's engine", false),
  ipc: refused('containers of a pod share theirs; leave it out', 'shareable', 'private'),
  pid: refused(HOST_NAMESPACE),
  uts: refused(HOST_NAMESPACE),
  userns_mode: refused(HOST_NAMESPACE),
  cgroup: refused(HOST_NAMESPACE, 'private'),
  cgroup_parent: refused('the engine chooses it'),
  pull_refresh_after: refused('write pull_policy: always')
}
