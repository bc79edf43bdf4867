// The pages, in the order of the navigation, and the right that each needs.
import overview from './overview.js'
import topology from './topology.js'
import jobs from './jobs.js'
import failovers from './failovers.js'
import changefeeds from './changefeeds.js'
import audit from './audit.js'
import profiles from './profiles.js'
import configuration from './configuration.js'
import reference from './reference.js'

export const pages = [
  { name: 'overview', needs: 'read', show: overview },
  { name: 'topology', needs: 'read', show: topology },
  { name: 'jobs', needs: 'read', show: jobs },
  { name: 'failovers', needs: 'read', show: failovers },
  { name: 'changefeeds', needs: 'read', show: changefeeds },
  { name: 'audit', needs: 'read', show: audit },
  { name: 'profiles', needs: 'profile', show: profiles },
  { name: 'configuration', needs: 'read', show: configuration },
  { name: 'api', needs: 'read', show: reference }
]
