import type { Config } from '../config/index.ts'
import { resolvePolicy, type SandboxPolicy } from '../manifest/index.ts'

/** Which sandbox policy holds for an owner. @param own peer IDs of this machine's own owners; everybody else is a guest */
export function policyFor(
  { policy, secretsInEnvironment }: Pick<Config, 'policy' | 'secretsInEnvironment'>,
  own: ReadonlySet<string>
): (owner: string) => SandboxPolicy {
  const resolve = (who: 'own' | 'others'): SandboxPolicy => {
    const resolved = resolvePolicy(policy[who], `policy.${who}`)
    // because it was a key of its own before there were policies: false there is false for everybody
    return secretsInEnvironment ? resolved : { ...resolved, secretsInEnvironment: false }
  }
  const policies = { own: resolve('own'), others: resolve('others') }
  return (owner) => policies[own.has(owner) ? 'own' : 'others']
}
