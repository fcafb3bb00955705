import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { INITIAL_CREDIT_BYTES } from '#contract/guest/flow-control.ts';
import { CreditGate } from './credit-gate.ts';

it('passes on what an honest client grants', () => {
  const gate = new CreditGate();
  assert.equal(gate.release(), 0);
  gate.use(100_000);
  gate.grant(70_000);
  assert.equal(gate.release(), 70_000);
  assert.equal(gate.release(), 0);
});

it('never lets more than a window be outstanding, and loses nothing', () => {
  const steps = fc.array(
    fc.record({ grant: fc.nat(2 ** 31), use: fc.double({ min: 0, max: 1, noNaN: true }) }),
  );
  fc.assert(
    fc.property(steps, (all) => {
      const gate = new CreditGate();
      let outstanding = INITIAL_CREDIT_BYTES;
      let [granted, used, released] = [0, 0, 0];
      for (const step of all) {
        gate.grant(step.grant);
        granted += step.grant;
        const use = Math.floor(outstanding * step.use);
        gate.use(use);
        used += use;
        const more = gate.release();
        released += more;
        outstanding += more - use;
        assert.ok(more >= 0 && outstanding <= INITIAL_CREDIT_BYTES);
        assert.equal(released, Math.min(granted, used));
      }
    }),
  );
});
