import { describeDiskDriver } from '#disk/conformance.ts';
import { FakeDisks } from '#disk/fake/fake-disks.ts';

describeDiskDriver('FakeDisks', () => new FakeDisks());
