import { describeNetworkDriver } from '#network/conformance.ts';
import { FakeNetwork } from '#network/fake/fake-network.ts';

describeNetworkDriver('FakeNetwork', () => new FakeNetwork());
