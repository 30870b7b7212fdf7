/** Gate `config`. */
import { type Check, ok, skipped } from './check.ts';

export const configChecks: readonly Check[] = [
  {
    id: 'config.file',
    gate: 'config',
    title: 'config',
    atBoot: true,
    codes: ['config.*'],
    needs: [],
    timeLimitSeconds: 15,
    async look({ readConfig, config: file = '' }) {
      const config = await readConfig();
      if (!config) return skipped('no config was given (--config FILE)');
      const domain = config.identity.edge_domain_id;
      return ok(`${file}, device ${domain}`, { file, edge_domain_id: domain });
    },
  },
];
