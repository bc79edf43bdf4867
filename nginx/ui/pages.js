// The pages, in the order of the navigation, and the right that each needs.
import profiles from './profiles.js'

export const pages = [
  { name: 'profiles', needs: 'profile', show: profiles }
]
