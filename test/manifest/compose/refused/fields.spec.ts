import { expect } from 'chai'
import { type ComposeField, PROJECT_FIELDS } from '../../../../src/manifest/compose/index.ts'
import { joinPath } from '../../../../src/manifest/objects/json.ts'
import { parseOne, refuse } from '../../fixtures/manifests.ts'
import { expectRefusal, project } from '../fixtures.ts'
import { put } from './cases.ts'

/** Names of the specification: schema/compose-spec.json of github.com/compose-spec/compose-spec at 170098b. */
const SPECIFIED = {
  project: 'version name include services models networks volumes secrets configs',
  service:
    'develop deploy annotations attach build blkio_config cap_add cap_drop cgroup cgroup_parent command configs container_name cpu_count cpu_percent cpu_shares cpu_quota cpu_period cpu_rt_period cpu_rt_runtime cpus cpuset credential_spec depends_on device_cgroup_rules devices dns dns_opt dns_search domainname entrypoint env_file label_file environment expose extends provider external_links extra_hosts gpus group_add healthcheck hostname image init ipc isolation labels links logging mac_address mem_limit mem_reservation mem_swappiness memswap_limit network_mode models networks oom_kill_disable oom_score_adj pid pids_limit platform ports post_start pre_stop privileged profiles pull_policy pull_refresh_after read_only restart runtime scale security_opt shm_size secrets sysctls stdin_open stop_grace_period stop_signal storage_opt tmpfs tty ulimits use_api_socket user uts userns_mode volumes volumes_from working_dir',
  healthcheck: 'disable interval retries test timeout start_period start_interval',
  deploy:
    'mode endpoint_mode replicas labels rollback_config update_config resources restart_policy placement'
}

/** Every refused field below a path, with the way there. */
function refusedFields(
  fields: Readonly<Record<string, ComposeField>>,
  path: readonly (string | number)[]
): { readonly path: readonly (string | number)[]; readonly field: ComposeField }[] {
  return Object.entries(fields).flatMap(([name, field]) => [
    ...(field.support === 'refused' ? [{ path: [...path, name], field }] : []),
    ...refusedFields(field.fields ?? {}, [...path, name]),
    ...refusedFields(field.items ?? {}, [...path, name, 0]),
    ...refusedFields(field.entries ?? {}, [...path, name, name === 'services' ? 'web' : 'x'])
  ])
}

describe('manifest/compose refused fields', () => {
  const services = PROJECT_FIELDS.services?.entries ?? {}

  it('leave no field of the specification without a word', () => {
    const known = (fields: object | undefined) => Object.keys(fields ?? {})
    expect(known(PROJECT_FIELDS)).to.have.members([...SPECIFIED.project.split(' '), 'x-beemesh'])
    expect(known(services)).to.have.members(SPECIFIED.service.split(' '))
    expect(known(services.healthcheck?.fields)).to.have.members(SPECIFIED.healthcheck.split(' '))
    expect(known(services.deploy?.fields)).to.have.members(SPECIFIED.deploy.split(' '))
  })

  for (const { path, field } of refusedFields(PROJECT_FIELDS, [])) {
    const at = path.reduce<string>(joinPath, '')
    it(`refuse ${at} with the reason, and take what asks for nothing`, () => {
      const error = refuse(put(project(), path, { odd: 'x' }))
      const found = error.violations.find((one) => one.path === at)
      expect(found, error.message).to.deep.include({ rule: 'refused', message: `is refused: ${field.note}` })
      for (const harmless of [null, '', [], {}, ...(field.harmless ?? [])]) {
        const { violations } = ((): { violations: readonly { path: string }[] } => {
          try {
            parseOne(put(project(), path, harmless))
            return { violations: [] }
          } catch (error) {
            return error as { violations: readonly { path: string }[] }
          }
        })()
        expect(violations.map((one) => one.path)).to.not.include(at)
      }
    })
  }

  it('refuse what is no field, and say which was meant', () => {
    const message = expectRefusal(project({ restrat: 'no' }), 'services.web.restrat', 'unknown-field').message
    expect(message).to.include('did you mean restart?')
    expectRefusal(project({}, { service: {} }), 'service', 'unknown-field')
    expectRefusal(project({ deploy: { x: 1 } }), 'services.web.deploy.x', 'unknown-field')
    expectRefusal(
      project({ ports: [{ target: 80, prot: 1 }] }),
      'services.web.ports[0].prot',
      'unknown-field'
    )
    expectRefusal(project({}, { 'x-beemesh': { engin: 'docker' } }), 'x-beemesh.engin', 'unknown-field')
  })
})
